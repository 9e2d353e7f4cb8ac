package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"runtime"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
	"k8s.io/kubernetes/pkg/apis/scheduling"
	schedulingvalidation "k8s.io/kubernetes/pkg/apis/scheduling/validation"
	"k8s.io/kubernetes/pkg/apis/storage"
	storagevalidation "k8s.io/kubernetes/pkg/apis/storage/validation"
)

// validate reports what an API server would refuse.
func validate(args []string) error {
	flags := flag.NewFlagSet("validate", flag.ExitOnError)
	workers := flags.Int("j", runtime.GOMAXPROCS(0), "how many cases at once")
	show := flags.Int("show", 20, "print so many faults")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cases, faulty, shown := 0, 0, 0
	err := inOrder(flags.Args(), *workers, func(text []byte) (any, error) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, err
		}
		var tc testCase
		if err := json.Unmarshal(l.Case, &tc); err != nil {
			return nil, err
		}
		var faults []string
		if _, err := readConfig(tc.Config); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", tc.ID, err))
		}
		for _, raw := range tc.Objects.Items {
			object, err := decodeObject(raw)
			if err != nil {
				return nil, fmt.Errorf("case %s: %w", tc.ID, err)
			}
			if object == nil {
				continue
			}
			for _, fault := range faultsOf(object) {
				faults = append(faults, fmt.Sprintf("%s: %T: %v", tc.ID, object, fault))
			}
		}
		return faults, nil
	}, func(_ string, value any) error {
		faults, _ := value.([]string)
		cases++
		if len(faults) > 0 {
			faulty++
		}
		for _, fault := range faults {
			if shown < *show {
				fmt.Println(fault)
			}
			shown++
		}
		return nil
	})
	fmt.Printf("%d cases, %d with faults\n", cases, faulty)
	if err == nil && shown > 0 {
		err = errors.New("there are faults")
	}
	return err
}

// faultsOf validates one object as its creation would be.
func faultsOf(object kruntime.Object) field.ErrorList {
	hub, err := legacyscheme.Scheme.UnsafeConvertToVersion(object.DeepCopyObject(), kruntime.InternalGroupVersioner)
	if err != nil {
		return field.ErrorList{field.InternalError(nil, err)}
	}
	switch o := hub.(type) {
	case *core.Pod:
		options := podutil.GetValidationOptionsFromPodSpecAndMeta(&o.Spec, nil, &o.ObjectMeta, nil)
		options.ResourceIsPod = true
		return corevalidation.ValidatePodCreate(o, options)
	case *core.Node:
		return corevalidation.ValidateNode(o)
	case *core.Namespace:
		return corevalidation.ValidateNamespace(o)
	case *core.Service:
		return corevalidation.ValidateServiceCreate(o)
	case *core.ReplicationController:
		return corevalidation.ValidateReplicationController(o, podutil.GetValidationOptionsFromPodTemplate(o.Spec.Template, nil))
	case *core.PersistentVolume:
		return corevalidation.ValidatePersistentVolume(o, corevalidation.ValidationOptionsForPersistentVolume(o, nil))
	case *core.PersistentVolumeClaim:
		return corevalidation.ValidatePersistentVolumeClaim(o, corevalidation.ValidationOptionsForPersistentVolumeClaimCreate())
	case *apps.ReplicaSet:
		return appsvalidation.ValidateReplicaSet(o, podutil.GetValidationOptionsFromPodTemplate(&o.Spec.Template, nil))
	case *apps.StatefulSet:
		return appsvalidation.ValidateStatefulSet(o, podutil.GetValidationOptionsFromPodTemplate(&o.Spec.Template, nil))
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(o, policyvalidation.PodDisruptionBudgetValidationOptions{})
	case *scheduling.PriorityClass:
		return schedulingvalidation.ValidatePriorityClass(o)
	case *storage.StorageClass:
		return storagevalidation.ValidateStorageClass(o)
	case *storage.CSINode:
		return storagevalidation.ValidateCSINode(o, storagevalidation.CSINodeValidationOptions{AllowLongNodeID: true})
	case *storage.CSIDriver:
		return storagevalidation.ValidateCSIDriver(o)
	case *storage.CSIStorageCapacity:
		return storagevalidation.ValidateCSIStorageCapacity(o, storagevalidation.CSIStorageCapacityValidateOptions{})
	case *storage.VolumeAttachment:
		return storagevalidation.ValidateVolumeAttachment(o)
	default:
		return field.ErrorList{field.InternalError(nil, fmt.Errorf("no validation for %T", hub))}
	}
}
