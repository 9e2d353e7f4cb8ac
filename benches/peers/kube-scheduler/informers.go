package main

import (
	"context"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/informers/apps"
	"k8s.io/client-go/informers/core"
	"k8s.io/client-go/informers/internalinterfaces"
	"k8s.io/client-go/informers/policy"
	"k8s.io/client-go/informers/resource"
	"k8s.io/client-go/informers/scheduling"
	"k8s.io/client-go/informers/storage"
	"k8s.io/client-go/tools/cache"
)

// factory is a SharedInformerFactory whose informers are filled by hand. The
// plugins see the generated listers and event handlers that they always see;
// only the watch against an API server is left out. Everything happens in the
// caller's goroutine, so there is nothing to wait for and nothing to shut
// down, and a handler sees objects in the order in which they were added.
type factory struct {
	informers.SharedInformerFactory
	byType map[reflect.Type]*informer
}

func newFactory() *factory {
	return &factory{
		SharedInformerFactory: informers.NewSharedInformerFactory(nil, 0),
		byType:                map[reflect.Type]*informer{},
	}
}

func (f *factory) of(t reflect.Type) *informer {
	i, ok := f.byType[t]
	if !ok {
		i = &informer{indexer: cache.NewIndexer(
			cache.DeletionHandlingMetaNamespaceKeyFunc,
			cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc},
		)}
		f.byType[t] = i
	}
	return i
}

// add stores the object and tells the handlers of its kind.
func (f *factory) add(object runtime.Object) error {
	i := f.of(reflect.TypeOf(object))
	if err := i.indexer.Add(object); err != nil {
		return err
	}
	i.objects = append(i.objects, object)
	for _, h := range i.handlers {
		h.OnAdd(object, true)
	}
	return nil
}

// replace stores the object in the place of the one of its name; no handler
// of the plugins asks for what changes in this program.
func (f *factory) replace(object runtime.Object) error {
	return f.of(reflect.TypeOf(object)).indexer.Update(object)
}

// remove forgets the object without telling handlers that never asked.
func (f *factory) remove(object runtime.Object) error {
	i := f.of(reflect.TypeOf(object))
	if err := i.indexer.Delete(object); err != nil {
		return err
	}
	for _, h := range i.handlers {
		h.OnDelete(object)
	}
	return nil
}

func (f *factory) InformerFor(obj runtime.Object, _ internalinterfaces.NewInformerFunc) cache.SharedIndexInformer {
	return f.of(reflect.TypeOf(obj))
}

func (f *factory) Start(<-chan struct{}) {}
func (f *factory) Shutdown()             {}
func (f *factory) WaitForCacheSync(<-chan struct{}) map[reflect.Type]bool {
	return nil
}

func (f *factory) Apps() apps.Interface {
	return apps.New(f, metav1.NamespaceAll, nil)
}

func (f *factory) Core() core.Interface {
	return core.New(f, metav1.NamespaceAll, nil)
}

func (f *factory) Policy() policy.Interface {
	return policy.New(f, metav1.NamespaceAll, nil)
}

func (f *factory) Resource() resource.Interface {
	return resource.New(f, metav1.NamespaceAll, nil)
}

func (f *factory) Scheduling() scheduling.Interface {
	return scheduling.New(f, metav1.NamespaceAll, nil)
}

func (f *factory) Storage() storage.Interface {
	return storage.New(f, metav1.NamespaceAll, nil)
}

// informer is a SharedIndexInformer that is always in sync.
type informer struct {
	indexer  cache.Indexer
	objects  []runtime.Object
	handlers []cache.ResourceEventHandler
}

type registration struct{}

func (registration) HasSynced() bool { return true }

func (i *informer) AddEventHandler(h cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	i.handlers = append(i.handlers, h)
	for _, object := range i.objects {
		h.OnAdd(object, true)
	}
	return registration{}, nil
}

func (i *informer) AddEventHandlerWithResyncPeriod(h cache.ResourceEventHandler, _ time.Duration) (cache.ResourceEventHandlerRegistration, error) {
	return i.AddEventHandler(h)
}

func (i *informer) AddEventHandlerWithOptions(h cache.ResourceEventHandler, _ cache.HandlerOptions) (cache.ResourceEventHandlerRegistration, error) {
	return i.AddEventHandler(h)
}

func (i *informer) RemoveEventHandler(cache.ResourceEventHandlerRegistration) error { return nil }
func (i *informer) GetStore() cache.Store                                           { return i.indexer }
func (i *informer) GetIndexer() cache.Indexer                                       { return i.indexer }
func (i *informer) AddIndexers(indexers cache.Indexers) error                       { return i.indexer.AddIndexers(indexers) }
func (i *informer) GetController() cache.Controller                                 { return nil }
func (i *informer) Run(<-chan struct{})                                             {}
func (i *informer) RunWithContext(context.Context)                                  {}
func (i *informer) HasSynced() bool                                                 { return true }
func (i *informer) LastSyncResourceVersion() string                                 { return "1" }
func (i *informer) IsStopped() bool                                                 { return false }
func (i *informer) SetTransform(cache.TransformFunc) error                          { return nil }
func (i *informer) SetWatchErrorHandler(cache.WatchErrorHandler) error              { return nil }
func (i *informer) SetWatchErrorHandlerWithContext(cache.WatchErrorHandlerWithContext) error {
	return nil
}
